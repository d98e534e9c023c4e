# The watcher in a container; templates/docker-compose.yml runs it.
# /data holds config.json, the state database and the folder workbooks/.

FROM python:3.13-slim AS build
WORKDIR /source
COPY pyproject.toml requirements.lock README.md LICENSE ./
COPY templates templates
COPY docs/share docs/share
COPY plexsheet plexsheet
RUN python -m venv /opt/plexsheet \
    && /opt/plexsheet/bin/pip install --no-cache-dir --constraint requirements.lock .

FROM python:3.13-slim
RUN useradd --uid 1000 --create-home --shell /usr/sbin/nologin plexsheet \
    && install -d -o plexsheet -g plexsheet -m 0700 /data
COPY --from=build /opt/plexsheet /opt/plexsheet
ENV PATH=/opt/plexsheet/bin:$PATH \
    PLEXSHEET_CONFIG=/data/config.json \
    XDG_CONFIG_HOME=/data \
    PYTHONUNBUFFERED=1
WORKDIR /data
VOLUME /data
USER plexsheet
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=60s --timeout=20s --start-period=60s \
    CMD ["plexsheet", "watch", "--status"]
ENTRYPOINT ["plexsheet"]
CMD ["watch"]
