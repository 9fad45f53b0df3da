"""Who trains trials one by one: serial, with folds, in scikit-learn."""
