# SPDX-License-Identifier: Apache-2.0
# The build environment where ./dev cannot make its own:
#   docker build --tag freshet-dev .
#   docker run --rm -it --volume "$PWD:$PWD" --workdir "$PWD" freshet-dev ./dev demo
FROM debian:trixie
COPY scripts/packages.txt scripts/apt-preferences scripts/fetch-old-server /tmp/freshet/
# The first stanza of the image's sources is the archive itself; forky is there too.
RUN set -eu; \
    cd /etc/apt; \
    sed '/^$/q; s/^Suites:.*/Suites: forky/' sources.list.d/debian.sources >sources.list.d/forky.sources; \
    /tmp/freshet/apt-preferences /tmp/freshet/packages.txt >preferences.d/freshet.pref; \
    apt-get update; \
    apt-get install --yes --no-install-recommends $(sed 's/#.*//' /tmp/freshet/packages.txt | awk '{ print $1 }'); \
    sh /tmp/freshet/fetch-old-server /opt; \
    rm -rf /var/lib/apt/lists/* /tmp/freshet; \
    touch /etc/freshet-environment
CMD ["bash"]
