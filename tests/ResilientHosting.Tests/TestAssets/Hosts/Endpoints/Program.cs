using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Core;

internal static class Program
{
    private static async Task<int> Main(string[] args)
    {
        var builder = WebApplication.CreateBuilder(args);
        builder.Services.AddDevReloader();
        var certificate = X509CertificateLoader.LoadPkcs12FromFile(builder.Configuration["Certificate"]!, password: null);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, builder.Configuration.GetValue<int>("Port"));
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(certificate));
            if (builder.Configuration["Socket"] is { } socket)
            {
                kestrel.ListenUnixSocket(socket);
            }
        });

        // Registers the server once more, behind the reloader.
        builder.WebHost.UseKestrel(kestrel => kestrel.AddServerHeader = false);

        await using var app = builder.Build();
        app.UseDevReloader();
        app.MapGet("/", () => "body: v1");
        app.MapGet("/pid", () => Environment.ProcessId);
        app.MapPost("/echo", (HttpRequest request) => Results.Stream(request.Body));
        await app.RunAsync();
        return 7;
    }
}
