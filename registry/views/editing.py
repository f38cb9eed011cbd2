from django.http import HttpResponse
def _s(request, **k): return HttpResponse("")
_s.required_rights = ()
classes = school_class = edit = problems = problem = school = search = suggest = _s
