"""`make demo`: the whole story on a real stack, from kubectl apply to an invoice."""
