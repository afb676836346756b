"""Apache Kafka with a second entrance: TLS, a password (SCRAM), and rights that can be taken away."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    KafkaAdminClient,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
    UserScramCredentialUpsertion,
)

from benchmarks.certificates import Authority
from benchmarks.servers import ApacheKafka, Listener
from consumers.embedded import HOST, free_port

HERE = f"IP:{HOST}"
_PREFIX = "listener.name.guarded"
_ANYBODY = ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY)


class GuardedKafka(ApacheKafka):
    """At ``guarded_port`` one needs a name and a password; whoever comes in at ``port`` may do everything.

    Raises ``SettingsError`` when Java, the jars or openssl are missing.
    """

    def __init__(self, user: str, password: str) -> None:
        super().__init__()
        self._user, self._password = user, password
        self.guarded_port = 0
        self._certificates = Path(tempfile.mkdtemp(prefix="segstream-certificates-"))
        self.authority = Authority(self._certificates)
        self._certificate = self.authority.certificate("broker", HERE)

    def listeners(self) -> dict[str, Listener]:
        """See ``ApacheKafka``."""
        self.guarded_port = free_port()
        return {**super().listeners(), "GUARDED": Listener(self.guarded_port, self.guarded_port, "SASL_SSL")}

    def more_properties(self) -> Sequence[str]:
        """See ``ApacheKafka``."""
        keys = self.folder / "broker.pem"
        keys.write_text(self._certificate)
        module = "org.apache.kafka.common.security.scram.ScramLoginModule"
        return (
            f"{_PREFIX}.ssl.keystore.type=PEM",
            f"{_PREFIX}.ssl.keystore.location={keys}",
            f"{_PREFIX}.sasl.enabled.mechanisms=SCRAM-SHA-512",
            f"{_PREFIX}.scram-sha-512.sasl.jaas.config={module} required;",
            "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users=User:ANONYMOUS",
            "allow.everyone.if.no.acl.found=true",
        )

    def formatting(self) -> Sequence[str]:
        """See ``ApacheKafka``."""
        return ("--add-scram", f"SCRAM-SHA-512=[name={self._user},password={self._password}]")

    def show(self, certificate: str | None = None) -> None:
        """Start again and show this certificate from now on; without one, that which is right."""
        self.terminate()
        (self.folder / "broker.pem").write_text(certificate or self._certificate)
        self.launch()

    def change_password(self, password: str) -> None:
        """From the next connection on the user needs this one."""
        with closing(self._admin()) as admin:
            admin.alter_user_scram_credentials([UserScramCredentialUpsertion(self._user, "SCRAM-SHA-512", password)])

    def forbid(self, group: str) -> None:
        """The user may not be a member of this group any more."""
        pattern = ResourcePattern(ResourceType.GROUP, group)
        with closing(self._admin()) as admin:
            admin.create_acls([ACL(f"User:{self._user}", "*", ACLOperation.READ, ACLPermissionType.DENY, pattern)])

    def allow(self) -> None:
        """Everything that was forbidden."""
        everything = ACLFilter(f"User:{self._user}", "*", ACLOperation.ANY, ACLPermissionType.DENY, _ANYBODY)
        with closing(self._admin()) as admin:
            admin.delete_acls([everything])

    def stop(self) -> None:
        """See ``ChildServer``."""
        super().stop()
        shutil.rmtree(self._certificates, ignore_errors=True)

    def _admin(self) -> KafkaAdminClient:
        return KafkaAdminClient(bootstrap_servers=self.bootstrap_servers)
