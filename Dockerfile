# syntax=docker/dockerfile:1
# One build, four images, one for each service:   docker build --target order-api .
# The images have no shell, no package manager and no root user: only the program and the libraries that it links to.

ARG RUST_VERSION=1.95.0

FROM rust:${RUST_VERSION}-slim-bookworm AS rust
RUN apt-get update \
    && apt-get install --no-install-recommends -y make perl pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src

# The workspace without its code: only what the build of the dependencies needs. A code change does not change this
# stage, so the stage below is cached.
FROM rust AS manifests
COPY . .
RUN find . -name '*.rs' ! -path '*/src/lib.rs' ! -path '*/src/main.rs' ! -name build.rs -delete \
    && find . -path '*/src/lib.rs' -exec sh -c ': >"$1"' _ {} \; \
    && find . -path '*/src/main.rs' -exec sh -c 'echo "fn main() {}" >"$1"' _ {} \; \
    && find . -type f ! -name '*.rs' ! -name Cargo.toml ! -name Cargo.lock -delete \
    && find . -type d -empty -delete

FROM rust AS build
# Cargo features: TLS and SASL for Kafka. Without them the build is some minutes faster.
ARG FEATURES="order-jobs/tls pharmacy-order/tls notification/tls"
# The final image has no zlib to link to.
ENV LIBZ_SYS_STATIC=1 \
    CARGO_TERM_COLOR=never
COPY --from=manifests /src .
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    cargo build --release --locked --features "$FEATURES" \
        -p order-api -p order-jobs -p pharmacy-order -p notification
COPY . .
# Touch the code, so that it is newer than what was built from empty files.
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    find . -path ./target -prune -o -name '*.rs' -exec touch {} + \
    && cargo build --release --locked --features "$FEATURES" \
        -p order-api -p order-jobs -p pharmacy-order -p notification \
    && mkdir /programs \
    && for program in order-api order-jobs pharmacy-order notification; do \
           if ldd "target/release/$program" | grep -vE 'linux-vdso|ld-linux|lib(c|m|gcc_s|dl|pthread|rt)\.so'; then \
               echo "$program links to a library that the final image does not have" && exit 1; \
           fi; \
           cp "target/release/$program" /programs/; \
       done

# It has the CA certificates of Debian, for the connections with TLS: to webhooks, mail servers and all others.
FROM gcr.io/distroless/cc-debian12:nonroot AS runtime
# As a number, so that Kubernetes can see that it is not root.
USER 65532:65532

FROM runtime AS order-api
COPY --from=build /programs/order-api /usr/local/bin/
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/order-api"]

FROM runtime AS order-jobs
COPY --from=build /programs/order-jobs /usr/local/bin/
EXPOSE 8082
ENTRYPOINT ["/usr/local/bin/order-jobs"]

FROM runtime AS pharmacy-order
COPY --from=build /programs/pharmacy-order /usr/local/bin/
EXPOSE 8083
ENTRYPOINT ["/usr/local/bin/pharmacy-order"]

FROM runtime AS notification
COPY --from=build /programs/notification /usr/local/bin/
EXPOSE 8084
ENTRYPOINT ["/usr/local/bin/notification"]
