"""The children's services pack: contacts to a front door, words to an allocated worker, referrals to a panel."""
