"""For tools that know no PEP 517; everything stands in setup.cfg."""

from setuptools import setup

setup()
