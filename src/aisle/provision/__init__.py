"""What aisle needs on AWS, and how it comes to be there.

`aisle.yaml`, a CloudFormation template, says all of it; the modules read it, show it, and let AWS make it.
"""
