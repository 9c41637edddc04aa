# The hub and the `agency` command in one image: `docker build -t lienthong .` See docs/deploy.md.
FROM python:3.11.15-slim-bookworm AS build
WORKDIR /src
# Before the program, so that a change of the program does not install everything again.
COPY deploy/requirements.lock ./
RUN python -m venv /opt/lienthong \
 && /opt/lienthong/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml README.md ./
COPY migrations migrations
COPY clients clients
COPY hub hub
RUN /opt/lienthong/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11.15-slim-bookworm
COPY --from=build /opt/lienthong /opt/lienthong
# Volumes take over the owner of the folder they are mounted on.
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /var/lib/lienthong --shell /usr/sbin/nologin lienthong \
 && install -d -m 700 -o lienthong -g lienthong /var/lib/lienthong /var/lib/agency
ENV PATH=/opt/lienthong/bin:$PATH PYTHONUNBUFFERED=1 HUB_DATA_DIR=/var/lib/lienthong
USER 10001:10001
WORKDIR /var/lib/lienthong
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
# Exec form: the hub itself gets SIGTERM, finishes what it has begun and ends.
ENTRYPOINT ["hub"]
CMD ["serve", "--host", "0.0.0.0", "--behind-proxy"]
