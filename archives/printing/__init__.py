"""Printed forms: `render.render(code, values)` makes the PDF of a form of `forms.FORMS`."""
