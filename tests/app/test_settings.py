"""Settings: read from the environment as they are written, or refused by variable, with what was expected."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from app.settings import PREFIX, Settings, SettingsError


def of(**variables: str) -> Settings:
    return Settings.from_environment({PREFIX + name: value for name, value in variables.items()})


def test_variables_are_read_and_others_left_alone():
    environment = {"LABELERRORS_PAGE_SIZE": "12", "LABELERRORS_CATALOGUE": "a/b.sqlite", "PAGE_SIZE": "many"}
    settings = Settings.from_environment(environment)
    assert (settings.page_size, settings.catalogue) == (12, Path("a/b.sqlite"))
    assert of(HOSTS=" a.example, b.example").hosts == " a.example, b.example"
    assert (of(PUBLIC="1").public, of(PUBLIC="0").public) == (True, False)
    assert (of(PAGE_SIZE="1").page_size, of(PAGE_SIZE="200").page_size) == (1, 200)


def test_an_empty_variable_is_one_that_is_not_set():
    assert of(**dict.fromkeys((name.upper() for name in Settings.model_fields), "")) == Settings()


@pytest.mark.parametrize(
    "value", ["0", "201", "-1", "+5", " 5", "1_0", "5.0", "1e1", "0x1", "five", "9" * 5000, "True"]
)
def test_a_number_is_digits_within_its_limits(value: str):
    with pytest.raises(SettingsError) as caught:
        of(PAGE_SIZE=value)
    assert str(caught.value) == f"LABELERRORS_PAGE_SIZE is {value!r}; expected a whole number from 1 to 200"


@pytest.mark.parametrize("value", ["yes", "true", "2", "01", " 1"])
def test_yes_or_no_is_1_or_0(value: str):
    with pytest.raises(SettingsError) as caught:
        of(PUBLIC=value)
    assert str(caught.value) == f"LABELERRORS_PUBLIC is {value!r}; expected 1 or 0"


@pytest.mark.parametrize(
    ("name", "meant"), [("PUBLC", "PUBLIC"), ("HEADER_SECOND", "HEADER_SECONDS"), ("TRUSTED_PROXY", "TRUSTED_PROXIES")]
)
@pytest.mark.parametrize("value", ["1", ""])
def test_a_misspelt_variable_is_refused_with_the_one_meant(name: str, meant: str, value: str):
    with pytest.raises(SettingsError) as caught:
        of(**{name: value})
    assert str(caught.value).startswith(
        f"LABELERRORS_{name} is no setting; did you mean LABELERRORS_{meant}? expected one of LABELERRORS_CATALOGUE, "
    )


def test_all_that_is_wrong_is_said_at_once():
    with pytest.raises(SettingsError) as caught:
        of(PAGE_SIZE="0", PUBLIC="yes", COLOUR="red")
    page_size, public, colour = str(caught.value).splitlines()
    assert page_size.startswith("LABELERRORS_PAGE_SIZE is ")
    assert public.startswith("LABELERRORS_PUBLIC is ")
    assert colour.startswith("LABELERRORS_COLOUR is no setting; expected one of ")


def test_settings_in_python_are_held_to_the_same_limits():
    with pytest.raises(ValidationError, match="page_size"):
        Settings(page_size=0)
    with pytest.raises(ValidationError, match="colour"):
        Settings(colour="red")  # type: ignore[call-arg]
