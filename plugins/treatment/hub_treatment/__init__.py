"""The treatment pack: a referral to a drug and alcohol treatment provider, whose name is itself kept private."""
