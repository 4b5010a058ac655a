"""Out-of-sample predicted probabilities by cross-validation: the folds, the models, and how good the result is.

``examples`` reads a dataset's contents, ``folds`` deals them out, ``cross_validation`` fits a model on all folds but
one and lets it predict that one, and ``provenance`` says how the matrix came about. scikit-learn is the extra
``[train]`` and is imported where it is used; nothing here is needed to flag a matrix that is there already.

*An estimator* is what ``models.Model.estimator(seed, threads, deal)`` returns, a new one for each fold, with
scikit-learn's interface:

``fit(inputs, labels)``: labels are (n,) int64 class ids. Not every class need be among them.

``predict_proba(inputs)``: (k, len(classes_)) probabilities. A row must not depend on the other rows of the call.

``classes_``: the class ids of its columns, ascending.

*Inputs* depend on ``Examples.kind``: "texts" is a list of str; "images" a uint8 array (n, height, width) or (n, height,
width, 3), all of one size; "table" a pandas DataFrame; "features" a float32 array (n, d). ``examples.take`` picks rows
of each.

Some things are optional:

``prepare(inputs)`` is called once, over all examples, before there are folds; it must learn nothing from them (it may
count words, not weigh them). What it returns must be one of the above, or take rows as an array does and have a method
``joined(other)``; it is what ``fit`` and ``predict_proba`` get.

``pretrain(inputs, labels)`` is called on the rows of ``[train]``, if the manifest has some, before ``fit`` on the rows
of the folds; without it these rows join those of every fold.

``files()`` names the files that it begins with, such as weights: where their contents change, a run that was stopped
begins anew.

``progress``, an attribute that is None, is set to an ``ingest.progress.Progress`` where folds are fitted one by one.

The same seed, the same rows in the same order and the same number of threads must give the same bytes.
"""
