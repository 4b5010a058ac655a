"""The documentation of the API: parameters, response models, the OpenAPI document and its page."""
