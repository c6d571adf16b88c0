#!/usr/bin/python3

"""compose.py FILE ENV: the gateway's variables in a compose file, a line each,
and HOSTS=, the services' names; an error for what an engine would refuse, or
what cannot work."""

import os
import re
import sys

import yaml


def die(text):
    sys.exit("%s: %s" % (sys.argv[1], text))


def read_env(name):
    with open(name) as file:
        lines = [l.strip() for l in file]
    return dict(l.split("=", 1) for l in lines if l and not l.startswith("#"))


def interpolate(value, env):
    """${NAME:?text} and $$, all that the files use."""
    def one(match):
        if match.group(0) == "$$":
            return "$"
        if not match.group(1):
            die("a lone $ in %r" % value)
        if not env.get(match.group(1)):
            die("%s: %s" % (match.group(1), match.group(2)))
        return env[match.group(1)]

    if isinstance(value, dict):
        return {k: interpolate(v, env) for k, v in value.items()}
    if isinstance(value, list):
        return [interpolate(v, env) for v in value]
    if not isinstance(value, str):
        return value
    return re.sub(r"\$\$|\$(?:\{(\w+):\?([^}]*)\})?", one, value)


def load(name, env):
    with open(name) as file:
        return interpolate(yaml.safe_load(file), env)


def extend(service, folder, env):
    if "extends" not in service:
        return service
    base = service.pop("extends")
    path = os.path.join(folder, base["file"])
    found = load(path, env)["services"][base["service"]]
    merged = {**found, **service}
    merged["environment"] = {**found.get("environment", {}),
                             **service.get("environment", {})}
    return merged


def container_port(service):
    return {str(p).rsplit(":", 1)[-1] for p in service.get("ports", [])}


def check(config):
    services = config["services"]
    volumes = config.get("volumes", {})

    for name, service in services.items():
        if "image" not in service:
            die("%s has no image" % name)
        for volume in service.get("volumes", []):
            if volume.split(":")[0] not in volumes:
                die("volume %s is not declared" % volume)
        for other in service.get("depends_on", []):
            if other not in services:
                die("%s depends on %s, which is not there" % (name, other))
        for port in service.get("ports", []):
            if not str(port).startswith("127.0.0.1:"):
                die("%s is open to the network" % port)
        for value in service.get("environment", {}).values():
            if not isinstance(value, str):
                die("%s: %r is no text" % (name, value))

    gateway = services["gateway"]

    for url in gateway["environment"]["INSTANCES"].split(","):
        host, port = re.fullmatch(r"http://(\w+):(\d+)", url).groups()
        if host not in services or port not in container_port(services[host]):
            die("%s is no service's" % url)

    if container_port(gateway) != {"3000"}:
        die("the gateway's port is 3000")

    context = os.path.join(os.path.dirname(sys.argv[1]),
                           gateway["build"]["context"])
    if not os.path.exists(os.path.join(context, gateway["build"]["dockerfile"])):
        die("no Dockerfile in %s" % context)


def main():
    file, env = sys.argv[1], read_env(sys.argv[2])
    config = load(file, env)
    folder = os.path.dirname(file)

    for name, service in config["services"].items():
        config["services"][name] = extend(service, folder, env)

    check(config)

    for name, value in config["services"]["gateway"]["environment"].items():
        print("%s=%s" % (name, value))

    print("HOSTS=" + " ".join(config["services"]))


main()
