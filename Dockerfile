# The image of web, worker, beat and init; docker-compose.yml says what each of them runs.
# Behind a mirror: docker compose build --build-arg PIP_INDEX_URL=… --build-arg NPM_CONFIG_REGISTRY=…

FROM python:3.11-slim-bookworm AS build
ARG PIP_INDEX_URL
ARG NPM_CONFIG_REGISTRY
ENV PIP_CACHE_DIR=/pip-cache PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app
COPY requirements.txt requirements-server.txt ./
# /server goes into the image. /tools also has Node, and the database servers of bin/run: it stays behind.
RUN --mount=type=cache,target=/pip-cache \
    python -m venv /server && /server/bin/pip install --require-hashes -r requirements-server.txt \
    && python -m venv /tools && /tools/bin/pip install --require-hashes -r requirements.txt
COPY . .
# Settings want these values; nothing here connects, and none of them stays in the image.
RUN XUEJI_ROLE=owner XUEJI_SECRET_KEY=unused \
    DATABASE_OWNER_URL=postgresql://unused@127.0.0.1:9/unused REDIS_URL=redis://127.0.0.1:9/0 \
    /tools/bin/python manage.py several vendor_assets compile_catalogue "collectstatic --noinput" \
    && /server/bin/python -m whitenoise.compress --quiet static_built \
    && rm -rf var requirements.txt requirements-server.txt package.json package-lock.json .npmrc \
    && /server/bin/python -m compileall -q .

FROM python:3.11-slim-bookworm
# The folders are mounted over; a new volume takes their owner.
RUN groupadd --gid 10001 xueji \
    && useradd --uid 10001 --gid xueji --no-create-home --home-dir /tmp --shell /usr/sbin/nologin xueji \
    && install -d -o xueji -g xueji -m 0700 /data /keys /beat
COPY --from=build /server /server
COPY --from=build /app /app
ENV PATH=/server/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 XUEJI_VAR=/data XUEJI_KEYRING=/keys
WORKDIR /app
USER xueji
