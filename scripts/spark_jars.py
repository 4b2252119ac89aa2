"""Fetch what Spark needs, once, into this user's cache: for S3 Hadoop's S3A, and of the AWS SDK what that uses; for the benchmarks Delta.

python scripts/spark_jars.py

`spark.jars.packages=org.apache.hadoop:hadoop-aws:…` does the same for who has time: it brings the whole SDK, of 600 MB.
Ivy, which comes with PySpark, fetches; IVY_SETTINGS names settings of its own, on a machine that has a mirror.
"""

from __future__ import annotations

import contextlib
import os
import ssl
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import pyspark

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from delta_jars import DELTA, delta, jars_for_delta
from java import NONE, machines_java, wheels_java
from spark_session import hadoop, jars_for_s3

SDK = {"3.5.0": "2.35.4"}
"""The AWS SDK that a Hadoop is built with: `aws-java-sdk-v2.version` in the POM of its hadoop-project."""

_WANTED = """<ivy-module version="2.0">
  <info organisation="aisle" module="spark-jars"/>
  <dependencies defaultconf="default">
{dependencies}
  </dependencies>
</ivy-module>
"""
# What Spark has itself is left out, as is all of the SDK that S3A does without.
_FOR_S3 = """
    <dependency org="org.apache.hadoop" name="hadoop-aws" rev="{hadoop}"/>
    <dependency org="software.amazon.awssdk" name="s3-transfer-manager" rev="{sdk}"/>
    <dependency org="software.amazon.awssdk" name="sts" rev="{sdk}"/>
    <exclude org="software.amazon.awssdk" module="bundle"/>
    <exclude org="org.wildfly.openssl"/>
    <exclude org="io.netty"/>
    <exclude org="org.slf4j"/>
    <exclude org="org.apache.httpcomponents"/>
    <exclude org="commons-codec"/>
    <exclude org="commons-logging"/>
"""
_DELTA = """
    <dependency org="io.delta" name="{artifact}" rev="{version}" transitive="false"/>
    <dependency org="io.delta" name="delta-storage" rev="{version}" transitive="false"/>
"""
_SETTINGS = """<ivysettings>
  <settings defaultResolver="central"/>
  <caches defaultCacheDir="{cache}"/>
  <resolvers><ibiblio name="central" m2compatible="true"/></resolvers>
</ivysettings>
"""


def main() -> int:
    if machines_java() is None and wheels_java() is None:
        print(f"{NONE}: its tests are skipped.")
        return 0
    sdk = SDK.get(hadoop())
    if sdk is None:
        print(f"Which AWS SDK is Hadoop {hadoop()} built with? Say it in {__file__}: SDK.")
        return 1
    wanted = {
        jars_for_s3(): ("what Spark needs for S3", _FOR_S3.format(hadoop=hadoop(), sdk=sdk)),
        jars_for_delta(): ("Delta for Spark", _DELTA.format(artifact=delta(), version=DELTA)),
    }
    for target, (what, dependencies) in wanted.items():
        if target.is_dir():
            continue
        print(f"Fetching {what} into {target} …", flush=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as work:
            said = fetch(Path(work), dependencies)
            if said is not None:
                print(said)
                return 1
            with contextlib.suppress(OSError):  # another was faster
                os.replace(Path(work) / "jars", target)
    return 0


def fetch(work: Path, dependencies: str) -> str | None:
    """Have Ivy fetch, into `jars` of a folder. Returns what it says if it fails."""
    own = machines_java()
    java = own or wheels_java()
    assert java is not None
    settings = os.environ.get("IVY_SETTINGS") or str(work / "settings.xml")
    (work / "settings.xml").write_text(_SETTINGS.format(cache=work / "cache"))
    (work / "ivy.xml").write_text(_WANTED.format(dependencies=dependencies))
    (ivy,) = (Path(pyspark.__file__).parent / "jars").glob("ivy-*.jar")
    command = [java, *([] if own else trusting(work / "trusted.p12")), "-cp", ivy, "org.apache.ivy.Main", "-error"]
    command += ["-settings", settings, "-ivy", work / "ivy.xml", "-retrieve", work / "jars" / "[artifact]-[revision].[ext]"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return f"{done.stdout}\n{done.stderr}" if done.returncode or not (work / "jars").is_dir() else None


def trusting(file: Path) -> list[str]:
    """Have Java trust whom this machine trusts; a Java of a wheel knows only its own certificates."""
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption
    from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_java_truststore

    file.write_bytes(serialize_java_truststore(list(certificates()), BestAvailableEncryption(b"public")))
    return [f"-Djavax.net.ssl.trustStore={file}", "-Djavax.net.ssl.trustStorePassword=public"]


def certificates() -> Iterator[object]:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization.pkcs12 import PKCS12Certificate

    for n, found in enumerate(ssl.create_default_context().get_ca_certs(binary_form=True)):
        # Some old ones are not as they ought to be.
        with warnings.catch_warnings(action="ignore"), contextlib.suppress(ValueError):
            yield PKCS12Certificate(x509.load_der_x509_certificate(found), str(n).encode())


if __name__ == "__main__":
    sys.exit(main())
