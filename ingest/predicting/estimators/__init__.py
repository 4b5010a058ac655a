"""The models that need scikit-learn alone: of texts, tables, features and pixels, and what sounds become."""
