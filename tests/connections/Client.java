// Shakes hands with each port of 127.0.0.1 that is named, as a Java program does it that knows
// nothing of client certificates: with the default context, whose key and trust stores are system
// properties. The first argument is the algorithm of the default key manager; then come the
// protocol and the port of each server, "TLSv1.3:4433". What is presented the servers know; a line
// for each of them says that the handshake is over, and how.

import java.net.InetSocketAddress;
import java.net.Socket;
import java.security.Security;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;

public class Client {
    private static final int TIMEOUT = 10_000;

    public static void main(String[] arguments) throws Exception {
        Security.setProperty("ssl.KeyManagerFactory.algorithm", arguments[0]);
        SSLContext context = SSLContext.getDefault();
        for (int number = 1; number < arguments.length; number++) {
            String[] server = arguments[number].split(":");
            connect(context, server[0], Integer.parseInt(server[1]));
        }
    }

    private static void connect(SSLContext context, String protocol, int port) throws Exception {
        try (Socket plain = new Socket()) {
            plain.connect(new InetSocketAddress("127.0.0.1", port), TIMEOUT);
            plain.setSoTimeout(TIMEOUT);
            SSLSocket secure =
                    (SSLSocket) context.getSocketFactory().createSocket(plain, "localhost", port, true);
            secure.setEnabledProtocols(new String[] {protocol});
            secure.startHandshake();
            System.out.println(port + " done");
        } catch (java.io.IOException error) {
            System.out.println(port + " " + error);
        }
    }
}
