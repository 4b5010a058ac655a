"""The documentation: Markdown files of the folder ``docs`` as pages of the site."""
