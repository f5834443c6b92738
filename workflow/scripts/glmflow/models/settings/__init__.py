"""Settings of families that are trained here, completed and checked without torch; a module a family.

``DEFAULTS``             every setting with its default
``configure(config)``    the whole configuration; raises `InputError`, whose text names the setting, where no network can be made

A study is checked by the same functions that the job calls, before any job runs.
"""
