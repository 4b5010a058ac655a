# The site and its ingest in one image.
#
#   docker build -t label-errors .
#   docker run --rm -v "$PWD/var:/catalogue" label-errors python -m ingest sample
#   docker run --rm -v "$PWD/var:/catalogue:ro" -p 8000:8000 label-errors
#
# The folder that is mounted must be writable for user 10001 where ingest writes to it.
FROM python:3.12-slim

ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    LABELERRORS_CATALOGUE=/catalogue/catalogue.sqlite

RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin site \
    && mkdir /catalogue \
    && chown site /catalogue

WORKDIR /srv/label-errors

COPY pyproject.toml README.md ./
COPY app app
COPY ingest ingest
COPY templates templates
COPY static static
COPY data data

# Editable, because templates, static files and manifests are read from beside the packages.
RUN pip install --no-cache-dir --editable .

USER site
VOLUME /catalogue
EXPOSE 8000

HEALTHCHECK --interval=30s --timeout=5s --start-period=10s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]

CMD ["python", "-m", "app", "--host", "0.0.0.0"]
