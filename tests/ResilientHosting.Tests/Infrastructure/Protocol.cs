using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace ResilientHosting.Tests.Infrastructure;

/// <summary>What a client and a server speak.</summary>
public enum Protocol
{
    Http1,
    Http1OverTls,

    /// <summary>In clear text, with prior knowledge.</summary>
    Http2,
    Http2OverTls,
}

/// <summary>Sets servers and clients up for a protocol.</summary>
public static class ProtocolExtensions
{
    extension(Protocol protocol)
    {
        public bool IsOverTls => protocol is Protocol.Http1OverTls or Protocol.Http2OverTls;

        public bool IsHttp2 => protocol is Protocol.Http2 or Protocol.Http2OverTls;

        public HttpProtocols ServerProtocols => protocol.IsHttp2 ? HttpProtocols.Http2 : HttpProtocols.Http1;

        /// <summary>Gets every way in which a client can leave in the middle of a request.</summary>
        public Departure[] Departures =>
            protocol.IsHttp2 ? [Departure.Fin, Departure.Rst, Departure.StreamReset] : [Departure.Fin, Departure.Rst];

        public HttpClient CreateClient(Uri address) => new(new SocketsHttpHandler { SslOptions = TestCertificate.Trust() })
        {
            BaseAddress = address,
            Timeout = LeavingClient.Timeout,
            DefaultRequestVersion = protocol.IsHttp2 ? HttpVersion.Version20 : HttpVersion.Version11,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
    }

    /// <summary>Makes the server listen on a free loopback port, for this protocol alone.</summary>
    public static void ListenFor(this WebApplicationBuilder builder, Protocol protocol)
    {
        builder.WebHost.UseUrls(protocol.IsOverTls ? "https://127.0.0.1:0" : "http://127.0.0.1:0");
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.ConfigureEndpointDefaults(listen => listen.Protocols = protocol.ServerProtocols);
            kestrel.ConfigureHttpsDefaults(https => https.ServerCertificate = TestCertificate.Value);
        });
    }
}
