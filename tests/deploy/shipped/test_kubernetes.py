"""Kubernetes manifests: strictly by the schemas of their kinds, and by what the parts are."""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from consumers.registry import BY_ITSELF, CONSUMERS
from contracts.streams import DURABLES
from contracts.users.declared import USERS
from deploy.cluster.parts import FOLD
from runtime.config import settings
from runtime.config.check import FILE_SUFFIX, secret_names
from runtime.servers.bus_users import ACCOUNT

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "deploy" / "kubernetes"
VERSION = "1.33"
KUBECTL = shutil.which("kubectl")
Manifest = dict[str, Any]


def read(path: Path) -> list[Manifest]:
    return list(yaml.safe_load_all(path.read_text()))


BASE = read(FOLDER / "base" / "kustomization.yaml")[0]
RESOURCES = [manifest for name in BASE["resources"] for manifest in read(FOLDER / "base" / name)]
PATCHES = [manifest for patch in BASE["patches"] for manifest in read(FOLDER / "base" / patch["path"])]
SCALED = read(FOLDER / "keda" / "webhooks.yaml")[0]
DEPLOYMENTS = {one["metadata"]["name"]: one for one in RESOURCES if one["kind"] == "Deployment"}
COMPOSE: Manifest = yaml.safe_load((ROOT / "deploy" / "compose" / "compose.yaml").read_text())


def part_of(deployment: Manifest) -> Manifest:
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return container


def of_kind(kind: str) -> list[Manifest]:
    return [one for one in RESOURCES if one["kind"] == kind]


@pytest.mark.parametrize("manifest", RESOURCES, ids=lambda one: f"{one['kind']}-{one['metadata']['name']}")
def test_manifest_is_strictly_valid(manifest: Manifest) -> None:
    kubernetes_validate.validate(manifest, VERSION, strict=True)


@pytest.fixture(scope="module")
def rendered() -> list[Manifest]:
    if KUBECTL is None:
        pytest.skip("no kubectl to render kustomizations")
    done = subprocess.run([KUBECTL, "kustomize", str(FOLDER / "keda")], capture_output=True, text=True, check=True)
    return list(yaml.safe_load_all(done.stdout))


def test_what_is_applied_is_strictly_valid_and_has_no_privileges(rendered: list[Manifest]) -> None:
    kinds = Counter(one["kind"] for one in rendered)
    assert kinds == Counter(one["kind"] for one in [*RESOURCES, SCALED])
    for manifest in rendered:
        if manifest["kind"] != SCALED["kind"]:
            kubernetes_validate.validate(manifest, VERSION, strict=True)
        assert manifest["kind"] == "Namespace" or manifest["metadata"]["namespace"] == BASE["namespace"]
    for deployment in (one for one in rendered if one["kind"] == "Deployment"):
        pod, part = deployment["spec"]["template"]["spec"], part_of(deployment)
        assert pod["securityContext"]["runAsNonRoot"]
        assert part["securityContext"]["readOnlyRootFilesystem"]
        assert part["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        ports = {port["name"] for port in part["ports"]}
        probes = [part[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")]
        assert {probe["port"] for probe in probes} <= ports
        assert {mount["name"] for mount in part["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
        assert (deployment["metadata"]["name"] == "consumers-webhooks") <= ("replicas" not in deployment["spec"])


def test_every_consumer_runs_in_one_deployment() -> None:
    named = [args[1:] for one in DEPLOYMENTS.values() if (args := part_of(one)["args"])[0] == "consumers"]
    counts = Counter(name for names in named for name in names)
    assert counts == Counter(name for name in CONSUMERS if name not in BY_ITSELF)


def test_every_other_part_has_a_deployment_of_its_own() -> None:
    alone = {part_of(one)["args"][0] for one in DEPLOYMENTS.values()}
    assert alone == {"healer", "producers", "consumers", "api", "bot"}
    assert {part_of(one)["name"] for one in (*DEPLOYMENTS.values(), *PATCHES)} == {"part"}, "what patches go by"


def test_names_that_manifests_have_of_each_other_are_right() -> None:
    labels = {name: one["spec"]["template"]["metadata"]["labels"] for name, one in DEPLOYMENTS.items()}
    assert all(one["spec"]["selector"]["matchLabels"] == labels[name] for name, one in DEPLOYMENTS.items())
    selected = [one["spec"]["selector"] for one in of_kind("Service")]
    selected += [one["spec"]["selector"]["matchLabels"] for one in of_kind("PodDisruptionBudget")]
    pods = [one["spec"]["podSelector"] for one in of_kind("NetworkPolicy")]
    selected += [pod["matchLabels"] for pod in pods if pod]
    assert all(selector in labels.values() for selector in selected)
    scaled = [one["spec"]["scaleTargetRef"]["name"] for one in (*of_kind("HorizontalPodAutoscaler"), SCALED)]
    assert set(scaled) <= set(DEPLOYMENTS)
    assert all("replicas" not in DEPLOYMENTS[name]["spec"] for name in scaled if name != "consumers-webhooks")


def test_what_may_run_in_several_copies_is_drained_one_by_one() -> None:
    several = {name for name, one in DEPLOYMENTS.items() if one["spec"].get("replicas", 2) > 1}
    assert {one["metadata"]["name"] for one in of_kind("PodDisruptionBudget")} == several


def test_what_folds_or_polls_stands_by_in_a_group_of_its_own() -> None:
    groups = {
        name: value for name, one in DEPLOYMENTS.items() if (value := environment_of(one).get("HYDROPHONE_STANDBY"))
    }
    assert groups == {"consumers": "fold", "bot": "bot"}
    assert set(part_of(DEPLOYMENTS["consumers"])["args"][1:]) == set(FOLD), "as the cluster on one machine has it"
    assert {DEPLOYMENTS[name]["spec"]["strategy"]["type"] for name in groups} == {"RollingUpdate"}


def environment_of(deployment: Manifest) -> dict[str, str]:
    return {one["name"]: one["value"] for one in part_of(deployment).get("env", ())}


def test_webhooks_are_scaled_by_the_lag_of_their_durable() -> None:
    (trigger,) = SCALED["spec"]["triggers"]
    assert trigger["type"] == "nats-jetstream"
    assert trigger["metadata"]["account"] == ACCOUNT
    assert (trigger["metadata"]["stream"], trigger["metadata"]["consumer"]) in {
        (durable.stream, durable.name) for durable in DURABLES
    }
    assert all(isinstance(value, str) for value in trigger["metadata"].values())


def test_settings_are_known_and_secrets_are_files() -> None:
    data = of_kind("ConfigMap")[0]["data"]
    secret = {name + FILE_SUFFIX for name in secret_names(settings.GROUPS)}
    assert set(data) <= {*settings.names(), *secret}
    bus = {"NATS_URL_FILE", "NATS_TLS_CA"}
    files = {Path(path).name for name, path in data.items() if name in secret - bus}
    assert files <= set(COMPOSE["secrets"]), "what deploy/compose/secrets.sh makes"
    mounts = {mount["name"]: mount["mountPath"] for mount in part_of(PATCHES[0])["volumeMounts"]}
    assert {str(Path(path).parent) for name, path in data.items() if name in secret - bus} == {mounts["secrets"]}
    assert {str(Path(data[name]).parent) for name in bus} == {mounts["nats"]}


def test_each_part_mounts_what_says_who_it_is_on_the_bus_and_nothing_of_others() -> None:
    data = of_kind("ConfigMap")[0]["data"]
    for name, one in DEPLOYMENTS.items():
        (volume,) = one["spec"]["template"]["spec"]["volumes"]
        keys = [item["key"] for item in volume["secret"]["items"]]
        assert (volume["name"], volume["secret"]["secretName"]) == ("nats", "hydrophone-nats"), name
        assert keys[0] in USERS, name
        assert keys[1:] == ["ca.pem"], name
        paths = [item["path"] for item in volume["secret"]["items"]]
        assert paths == [Path(data[setting]).name for setting in ("NATS_URL_FILE", "NATS_TLS_CA")]


def test_servers_keep_what_is_acknowledged() -> None:
    bus = read(FOLDER / "values" / "nats.yaml")[0]["config"]
    assert bus["jetstream"]["merge"]["sync_interval"] == "always"
    users = read(FOLDER / "values" / "nats-users.yaml")[0]["config"]
    assert ACCOUNT in users["merge"]["accounts"]
    assert bus["nats"]["tls"]["enabled"]
    copies = of_kind("ConfigMap")[0]["data"]["HYDROPHONE_REPLICAS"]
    assert bus["cluster"]["replicas"] == int(copies)
    documents = read(FOLDER / "values" / "mongodb.yaml")[0]
    assert (documents["architecture"], documents["replicaCount"]) == ("replicaset", 3)
