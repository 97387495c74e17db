# One image for the operator, the portal and the jobs: `pieced` with what it needs to run, nothing that built it.
# Non-root; writes no file, so a read-only root file system serves.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src

# The tools that build stay here; the environment that ships has not even pip.
COPY requirements-build.lock requirements-runtime.lock ./
RUN python -m venv /opt/build \
    && /opt/build/bin/pip install --require-hashes --no-deps --only-binary :all: -r requirements-build.lock
RUN python -m venv --without-pip /opt/pieced \
    && /opt/build/bin/pip --python /opt/pieced install --require-hashes --no-deps --only-binary :all: -r requirements-runtime.lock

COPY pyproject.toml README.md LICENSE ./
COPY billing billing
COPY operator operator
COPY cli cli
RUN /opt/build/bin/python -m hatchling build --target wheel --directory /opt/build/dist \
    && /opt/build/bin/pip --python /opt/pieced install --no-deps --no-index /opt/build/dist/*.whl

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="pieced" \
      org.opencontainers.image.description="Hosts tenants on Kubernetes and bills them" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/pieced /opt/pieced
# USER, because kopf asks for a name and the number below has none.
ENV PATH=/opt/pieced/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 USER=pieced
# A number, not a name: Kubernetes can only check a number against runAsNonRoot.
USER 65532:65532
WORKDIR /
ENTRYPOINT ["pieced"]
CMD ["--help"]
