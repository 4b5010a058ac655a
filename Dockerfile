# The site and its ingest in one image.
#
#   docker build -t label-errors .
#   docker run --rm -v "$PWD/var:/catalogue" label-errors label-errors sample
#   docker run --rm -v "$PWD/var:/catalogue:ro" -p 8000:8000 label-errors
#
# The folder that is mounted must be writable for user 10001 where ingest writes to it.

# Here is a compiler, for the inner loop of confident learning; it stays behind.
FROM python:3.12-slim AS build

RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*

RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1

WORKDIR /srv/label-errors

# Packages first: they change less often than what stands beside them.
COPY requirements requirements
RUN pip install --require-hashes --requirement requirements/build.txt \
    && pip install --require-hashes --only-binary :all: --requirement requirements/run.txt

COPY pyproject.toml setup.py README.md LICENSE ./
COPY app app
COPY ingest ingest
COPY templates templates
COPY static static
COPY data data
COPY docs docs

# An image without the compiled loop is not made: confident learning would find the same in twice the time.
RUN pip install --no-build-isolation --no-deps . \
    && cd / && python -c 'from ingest.matrices import _row_kernel' \
    && pip uninstall --yes setuptools pip

FROM python:3.12-slim

ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    LABELERRORS_PUBLIC=1 \
    LABELERRORS_CATALOGUE=/catalogue/catalogue.sqlite

RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin site \
    && mkdir /catalogue \
    && chown site /catalogue

WORKDIR /catalogue

COPY --from=build /opt/venv /opt/venv

USER site
VOLUME /catalogue
EXPOSE 8000

HEALTHCHECK --interval=30s --timeout=5s --start-period=10s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]

CMD ["label-errors", "serve", "--host", "0.0.0.0"]
