from hypothesis import settings

# no time limit an example: the machine may be busy; the same examples each time
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")
