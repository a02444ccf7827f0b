"""The housing pack: referrals to an English council under the duty, or a commitment, to refer."""
