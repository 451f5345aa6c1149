using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ResilientHosting.Benchmarks.DevServers;

namespace ResilientHosting.SwapLoad;

/// <summary>A protocol, and the tool that speaks it.</summary>
internal sealed record Scenario(string Name, LoadTool Tool, Contestant Server)
{
    private const string Password = "localhost";

    public static IEnumerable<Scenario> All(string folder)
    {
        var certificate = CreateCertificate(folder);
        yield return new Scenario("HTTP/1.1", LoadTool.Wrk, Speaking("http", HttpVersion.Version11, "Http1"));
        yield return new Scenario("HTTP/1.1 over TLS", LoadTool.Wrk, Speaking("https", HttpVersion.Version11, "Http1", certificate));
        yield return new Scenario("HTTP/2", LoadTool.H2Load, Speaking("http", HttpVersion.Version20, "Http2"));
        yield return new Scenario("HTTP/2 over TLS", LoadTool.H2Load, Speaking("https", HttpVersion.Version20, "Http2", certificate));
    }

    private static Contestant Speaking(string scheme, Version version, string protocols, string? certificate = null)
    {
        var environment = new Dictionary<string, string>(Contestant.Ours.Environment) { ["Kestrel__EndpointDefaults__Protocols"] = protocols };
        if (certificate is not null)
        {
            environment["Kestrel__Certificates__Default__Path"] = certificate;
            environment["Kestrel__Certificates__Default__Password"] = Password;
        }

        return Contestant.Ours with { Environment = environment, Http = (scheme, version) };
    }

    private static string CreateCertificate(string folder)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(7));
        var path = Path.Combine(folder, "localhost.pfx");
        File.WriteAllBytes(path, certificate.Export(X509ContentType.Pkcs12, Password));
        return path;
    }
}
