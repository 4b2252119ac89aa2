"""What EMR Serverless starts: the command line of aisle, with the job's arguments (docs/emr.md)."""

from aisle.job import main

main()
