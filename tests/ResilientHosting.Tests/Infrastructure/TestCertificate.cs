using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ResilientHosting.Tests.Infrastructure;

/// <summary>The certificate of all servers of this process. Its clients trust it and nothing else.</summary>
public static class TestCertificate
{
    private static readonly Lazy<X509Certificate2> Created = new(Create);

    public static X509Certificate2 Value => Created.Value;

    public static SslClientAuthenticationOptions TrustedBy(params List<SslApplicationProtocol> protocols) => new()
    {
        TargetHost = "localhost",
        ApplicationProtocols = protocols,
        RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null && certificate.Equals(Value),
    };

    private static X509Certificate2 Create()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        using var created = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));

        // Windows serves only with a key it has loaded itself.
        return X509CertificateLoader.LoadPkcs12(created.Export(X509ContentType.Pkcs12), password: null);
    }
}
