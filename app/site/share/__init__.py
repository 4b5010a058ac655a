"""What other sites show of this one: pictures for links, badges, and the site map."""
