"""Spring Authorization Server with Spring Boot, built by Maven."""

from dataclasses import dataclass
from pathlib import Path

from tests.interop.credentials import public_key_text, random_secret, reserved_secret, write_private_key
from tests.interop.java import build_program, find_java
from tests.interop.server import Running, spawn

HERE = Path(__file__).parent
PATIENCE_S = 120.0


@dataclass(frozen=True)
class SpringAuthorizationServer:
    """A Spring Boot application on its embedded Tomcat."""

    name: str = "spring-authorization-server"

    def install(self) -> None:
        """Builds the application; the versions of all it needs follow from one in pom.xml."""
        build_program(self.name, HERE)

    def start(self, state_dir: Path) -> Running:
        """Starts the application; what it knows is in its memory."""
        key = write_private_key(state_dir / "client-key.pem")
        shared = {
            "GRANTPROOF_SPRING_SERVICE_SECRET": random_secret(),
            "GRANTPROOF_SPRING_OTHER_SECRET": random_secret(),
            "GRANTPROOF_SPRING_RESERVED_SECRET": reserved_secret(),
            "GRANTPROOF_SPRING_HMAC_SECRET": random_secret(),
            "GRANTPROOF_SPRING_CODE_APP_SECRET": random_secret(),
            "GRANTPROOF_SPRING_ALICE_PASSWORD": random_secret(),
            "GRANTPROOF_SPRING_BOB_PASSWORD": random_secret(),
            "GRANTPROOF_SPRING_CLIENT_KEY": str(key),
        }
        own = {"GRANTPROOF_SPRING_CLIENT_PUBLIC_KEY": public_key_text(key)}
        log = state_dir / "server.log"
        process, base_url = spawn(
            [find_java(), f"-Djava.io.tmpdir={state_dir}", "-jar", build_program(self.name, HERE)],
            cwd=state_dir,
            log=log,
            environ={**own, **shared},
            patience_s=PATIENCE_S,
        )
        return Running(base_url, process, log, {"GRANTPROOF_SPRING_ISSUER": base_url, **shared})
