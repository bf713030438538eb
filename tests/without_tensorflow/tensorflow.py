"""In front on the path of processes that train on JAX: Keras would import TensorFlow, seconds for nothing."""

raise ImportError("TensorFlow is kept out of this process")
