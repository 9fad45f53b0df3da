"""Where the batches of a search are trained: here, or by workers elsewhere.

The oracle, the folder of the search and the retries stay in this process.
`search` asks, gives out and tells; `asking` and `batches` have what is asked,
`dispatch` what is given out, `arrivals` what comes back and is written;
`training` is the one function that trains a batch, wherever that is; `local`
and `on_ray` have the executors.
"""
