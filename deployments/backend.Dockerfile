# The backend's image, and that of its migrations:
#     docker build --file deployments/backend.Dockerfile --tag maverik-backend .
#     docker run ... maverik-backend [serve --workers 2 | migrate | users list | ...]
# Pin it to the bit in your pipeline: --build-arg PYTHON_IMAGE=python:3.13.16-slim-trixie@sha256:...
ARG PYTHON_IMAGE=python:3.13.16-slim-trixie

FROM ${PYTHON_IMAGE} AS dependencies
# requirements-local.txt adds the embedded optimiser, for who has no other (and with it the embedded PostgreSQL).
ARG REQUIREMENTS=requirements.txt
COPY ${REQUIREMENTS} /build/requirements.txt
# The environment gets no pip of its own, and with it no way to install anything later.
RUN python -m venv --without-pip /opt/venv \
 && python -m pip --python /opt/venv/bin/python install --no-cache-dir --no-compile --disable-pip-version-check \
    --require-hashes --requirement /build/requirements.txt

FROM ${PYTHON_IMAGE}
# Not pinned: Debian keeps the newest build of a package only, so an older number would not be found.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libsodium23 \
 && rm -rf /var/lib/apt/lists/*
# A number that is the same on every host, so that volumes stay ours; /data is for what LOCAL_DATA_DIR holds.
RUN groupadd --gid 10001 maverik \
 && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin maverik \
 && install --directory --owner 10001 --group 10001 --mode 0700 /data
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOST=0.0.0.0 \
    PORT=8082 \
    LOCAL_DATA_DIR=/data
COPY --from=dependencies /opt/venv /opt/venv
WORKDIR /app
COPY alembic.ini ./
COPY alembic ./alembic
COPY maverik_backend ./maverik_backend
COPY deployments/healthcheck.py ./deployments/healthcheck.py
# Compiled here, as nobody may write here later; by content, so that two builds of the same sources are the same.
RUN python -m compileall -q --invalidation-mode unchecked-hash /opt/venv/lib /app
USER 10001:10001
EXPOSE 8082
STOPSIGNAL SIGTERM
# Alive, not ready: a container is not to be replaced because its database is away.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 CMD ["python", "deployments/healthcheck.py"]
ENTRYPOINT ["python", "-m", "maverik_backend"]
CMD ["serve"]
