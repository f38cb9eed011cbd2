import pytest

pytest.register_assert_rewrite("tests.races.story", "tests.races.processes")
