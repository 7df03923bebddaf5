#!/bin/sh
# Makes the secrets of packaging/compose-cluster.yml, as root: packaging/cluster/make-secrets.sh FOLDER [UID]
# What is there already stays as it is. UID is that of the image's user; log servers run as root.
set -eu
folder=$1
node=${2:-8470}
umask 077
mkdir -p "$folder"
if [ -e "$folder/log-servers" ]; then
    echo "$folder/log-servers is there already, and stays as it is" >&2
else
    nodes=$(openssl rand -hex 24)
    routes=$(openssl rand -hex 24)
    cat >"$folder/log-servers.conf" <<END
authorization { user: hookbundle, password: "$nodes" }
cluster {
  name: hookbundle
  port: 6222
  authorization { user: routes, password: "$routes" }
  routes: [
    "nats://routes:$routes@n1:6222"
    "nats://routes:$routes@n2:6222"
    "nats://routes:$routes@n3:6222"
  ]
  # Nodes know the servers by the names that they were given.
  no_advertise: true
}
END
    echo "hookbundle:$nodes" >"$folder/log-servers"
fi
[ -e "$folder/cluster-key" ] || openssl rand -hex 32 >"$folder/cluster-key"
chmod 0400 "$folder"/log-servers "$folder"/log-servers.conf "$folder"/cluster-key
chown "$node" "$folder"/log-servers "$folder"/cluster-key
