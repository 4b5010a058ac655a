"""The documentation: the Markdown files of the folder ``docs`` as pages of the site."""
