# Pretended WhatsApp servers, for the tests of the gateway's image.

ARG DEBIAN=bookworm

FROM debian:${DEBIAN}-slim

RUN apt-get -q update \
    && apt-get -q -y install --no-install-recommends perl \
    && rm -rf /var/lib/apt/lists/*

COPY t/lib /t/lib
COPY t/docker/fake.pl /t/

USER nobody
ENTRYPOINT ["/usr/bin/perl", "-I/t/lib", "/t/fake.pl"]
