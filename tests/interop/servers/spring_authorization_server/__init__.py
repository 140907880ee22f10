"""Spring Authorization Server in an application of ours, as small as its documentation allows."""
