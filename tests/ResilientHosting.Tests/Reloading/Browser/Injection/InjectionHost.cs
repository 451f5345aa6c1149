using System.Globalization;
using System.Runtime.Loader;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using ResilientHosting.Reloading;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

/// <summary>A real server whose pages pass the injection, and a browser's way of asking for them.</summary>
public abstract class InjectionHost : IAsyncDisposable
{
    protected const string Page = "<!doctype html><html><head><title>Grüße</title></head><body>Grüße</body></html>";

    private KestrelTestHost? _host;

    protected DevReloaderOptions Options { get; } = new();

    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    protected static string Script => Tag("/_dev", "");

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_host is not null)
        {
            await _host.DisposeAsync();
        }
    }

    protected static Task RespondAsync(HttpResponse response, string contentType, string page)
    {
        response.ContentType = contentType;
        response.ContentLength = Encoding.UTF8.GetByteCount(page);
        return response.WriteAsync(page, Token);
    }

    protected static string Tag(string path, string nonce) => string.Create(
        CultureInfo.InvariantCulture,
        $"<script async src=\"{path}/client.js?generation={GenerationId.Of(3)}\"{nonce}></script>");

    protected async Task StartAsync(Func<HttpResponse, Task> respond, bool synchronous = false)
    {
        var pages = new PageRefresh(new PathBases(), () => Options, new ReloadConsole(TextWriter.Null));
        var generation = new Generation(3, AssemblyLoadContext.Default);
        _host = await KestrelTestHost.StartAsync(
            app =>
            {
                app.Use((context, next) => pages.RunAsync(context.Features, generation, () => next(context)));
                app.Run(context => respond(context.Response));
            },
            builder => builder.Services.Configure<KestrelServerOptions>(kestrel => kestrel.AllowSynchronousIO = synchronous));
        _host.Logs.Expect("ApplicationError");
    }

    protected async Task<HttpResponseMessage> OpenAsync(Func<HttpResponse, Task> respond, params (string Name, string Value)[] headers)
    {
        await StartAsync(respond);
        return await OpenAsync("/", headers);
    }

    protected async Task<HttpResponseMessage> OpenAsync(string path, params (string Name, string Value)[] headers)
    {
        var method = Array.Find(headers, header => header.Name == "Method").Value ?? "GET";
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (!headers.Any(header => header.Name == "Accept"))
        {
            request.Headers.Add("Accept", "text/html,application/xhtml+xml,*/*;q=0.8");
        }

        foreach (var (name, value) in headers.Where(header => header.Name != "Method"))
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return await _host!.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Token).WaitAsync(KestrelTestHost.Timeout, Token);
    }

    protected static async Task<string> ReadAsync(HttpResponseMessage answer) =>
        Encoding.UTF8.GetString(await answer.Content.ReadAsByteArrayAsync(Token).WaitAsync(KestrelTestHost.Timeout, Token));
}
