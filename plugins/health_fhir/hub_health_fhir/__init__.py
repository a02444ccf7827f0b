"""The health pack: a BaRS 1.4 connector over FHIR R4, its mapping, and a BaRS receiver to try it against."""
