"""The mail to a store's customers: who mails and when, the outbox, the sending, and the words.

rules.py says what is due, outbox.py writes it down, sending.py sends it, waiting.py is the merchant's own act.
The words: variables.py (what a template may name), liquid.py (the language it is written in), rendering.py (subject,
text and HTML of one mail), templates.py (the merchant's own texts and their history), defaults/ (ours).
"""
