"""The API's description of itself: parameters, response models, the OpenAPI document and its page."""
