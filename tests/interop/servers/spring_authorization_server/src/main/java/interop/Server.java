package interop;

import java.util.Map;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.web.servlet.context.ServletWebServerInitializedEvent;
import org.springframework.context.event.EventListener;
import org.springframework.security.oauth2.server.authorization.client.InMemoryRegisteredClientRepository;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** An authorization server on a free loopback port, with one protected resource and the JWK Set of one client. */
@SpringBootApplication
@RestController
public class Server {

    private final InMemoryRegisteredClientRepository clients;

    Server(InMemoryRegisteredClientRepository clients) {
        this.clients = clients;
    }

    public static void main(String[] arguments) {
        SpringApplication.run(Server.class, arguments);
    }

    /** The client with a key is registered by the URL of its JWK Set, so only once the port is known. */
    @EventListener
    void register(ServletWebServerInitializedEvent event) {
        String url = "http://127.0.0.1:" + event.getWebServer().getPort();
        clients.save(Clients.withKey(url + "/client/jwks"));
        System.out.println("listening " + url);
    }

    @GetMapping("/client/jwks")
    Map<String, Object> clientJwks() {
        return Clients.publicKeys().toJSONObject();
    }

    @GetMapping("/api/status")
    Map<String, Object> status() {
        return Map.of("up", true);
    }
}
