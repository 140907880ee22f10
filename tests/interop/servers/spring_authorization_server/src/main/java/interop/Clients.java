package interop;

import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;
import java.util.UUID;
import java.util.function.Consumer;

import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.RSAKey;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.security.oauth2.core.AuthorizationGrantType;
import org.springframework.security.oauth2.core.ClientAuthenticationMethod;
import org.springframework.security.oauth2.jose.jws.MacAlgorithm;
import org.springframework.security.oauth2.jose.jws.SignatureAlgorithm;
import org.springframework.security.oauth2.server.authorization.client.InMemoryRegisteredClientRepository;
import org.springframework.security.oauth2.server.authorization.client.RegisteredClient;
import org.springframework.security.oauth2.server.authorization.settings.ClientSettings;

/** The clients that the profile names. */
@Configuration
class Clients {

    @Bean
    InMemoryRegisteredClientRepository registeredClients() {
        return new InMemoryRegisteredClientRepository(
            service("service", client -> client
                .clientSecret(secret("SERVICE"))
                .clientAuthenticationMethod(ClientAuthenticationMethod.CLIENT_SECRET_BASIC)
                .clientAuthenticationMethod(ClientAuthenticationMethod.CLIENT_SECRET_POST)),
            service("service_other", client -> client
                .clientSecret(secret("OTHER"))
                .clientAuthenticationMethod(ClientAuthenticationMethod.CLIENT_SECRET_BASIC)
                .scope("audit")),
            service("service_reserved", client -> client
                .clientSecret(secret("RESERVED"))
                .clientAuthenticationMethod(ClientAuthenticationMethod.CLIENT_SECRET_BASIC)
                .clientAuthenticationMethod(ClientAuthenticationMethod.CLIENT_SECRET_POST)),
            service("service_hmac", client -> client
                .clientSecret(secret("HMAC"))
                .clientAuthenticationMethod(ClientAuthenticationMethod.CLIENT_SECRET_JWT)
                .clientSettings(ClientSettings.builder()
                    .tokenEndpointAuthenticationSigningAlgorithm(MacAlgorithm.HS256)
                    .build())),
            RegisteredClient.withId(UUID.randomUUID().toString())
                .clientId("code_app")
                .clientSecret(secret("CODE_APP"))
                .clientAuthenticationMethod(ClientAuthenticationMethod.CLIENT_SECRET_BASIC)
                .authorizationGrantType(AuthorizationGrantType.AUTHORIZATION_CODE)
                .redirectUri("https://code.example/cb")
                .scope("read")
                .scope("write")
                .build());
    }

    static RegisteredClient withKey(String jwkSetUrl) {
        return service("service_key", client -> client
            .clientAuthenticationMethod(ClientAuthenticationMethod.PRIVATE_KEY_JWT)
            .clientSettings(ClientSettings.builder()
                .jwkSetUrl(jwkSetUrl)
                .tokenEndpointAuthenticationSigningAlgorithm(SignatureAlgorithm.RS256)
                .build()));
    }

    static JWKSet publicKeys() {
        try {
            byte[] info = Base64.getDecoder().decode(System.getenv("GRANTPROOF_SPRING_CLIENT_PUBLIC_KEY"));
            PublicKey key = KeyFactory.getInstance("RSA").generatePublic(new X509EncodedKeySpec(info));
            return new JWKSet(new RSAKey.Builder((RSAPublicKey) key).keyID("assertion").build());
        } catch (GeneralSecurityException problem) {
            throw new IllegalStateException("the client's key cannot be read", problem);
        }
    }

    private static RegisteredClient service(String id, Consumer<RegisteredClient.Builder> rest) {
        RegisteredClient.Builder client = RegisteredClient.withId(UUID.randomUUID().toString())
            .clientId(id)
            .authorizationGrantType(AuthorizationGrantType.CLIENT_CREDENTIALS)
            .scope("read")
            .scope("write");
        rest.accept(client);
        return client.build();
    }

    private static String secret(String name) {
        return System.getenv("GRANTPROOF_SPRING_" + name + "_SECRET");
    }
}
