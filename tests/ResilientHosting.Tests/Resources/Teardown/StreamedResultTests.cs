using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ResilientHosting.Resources;

namespace ResilientHosting.Tests.Resources;

/// <summary>A result that is produced while the response is being written still needs the resource.</summary>
public sealed class StreamedResultTests : HandlerReleaseScenario
{
    [Theory]
    [InlineData("/items", "[1,2]")]
    [InlineData("/numbers", "[1,2]")]
    [InlineData("/wrapped", "[1,2]")]
    [InlineData("/file", "12")]
    [InlineData("/push", "12")]
    [InlineData("/events", "data: 1\n\ndata: 2\n\n")]
    [InlineData("/written", "12")]
    [InlineData("/delegate", "12")]
    public async Task StreamedResult_InProduction_KeepsTheResourceUntilItsEnd(string path, string body)
    {
        await StartAsync(Server.Kestrel, MapStreams);

        Assert.Equal(body, await Host.Client.GetStringAsync(path, Test));

        var outcome = await Ledger.NextOutcomeAsync();
        Assert.Equal((ScopeOutcomeKind.Succeeded, true), (outcome.Kind, outcome.ResponseStarted));
        var line = Host.Logs.Only("ReleasePromoted");
        Assert.Equal(LogLevel.Debug, line.Level);
        Assert.StartsWith($"Alpha could not be released after the handler of 'HTTP: GET {path}' but only after its response: ", line.Message);
    }

    [Theory]
    [InlineData("/items")]
    [InlineData("/numbers")]
    [InlineData("/wrapped")]
    [InlineData("/file")]
    [InlineData("/push")]
    [InlineData("/events")]
    [InlineData("/written", "it has started the response itself.")]
    public async Task StreamedResult_InDevelopment_IsAnErrorThatSaysWhatToDo(string path, string reason = "its result (")
    {
        await StartAsync(
            Server.Kestrel,
            app =>
            {
                Catch(app);
                MapStreams(app);
            },
            environment: "Development");

        using var response = await Host.Client.GetAsync(path, Test);

        Assert.Equal(path == "/written" ? HttpStatusCode.OK : HttpStatusCode.InternalServerError, response.StatusCode);
        var message = Assert.IsType<InvalidOperationException>(Thrown).Message;
        Assert.StartsWith($"Alpha cannot be released after the handler of 'HTTP: GET {path}': {reason}", message);
        Assert.Contains("ReleaseAsync()", message);
    }

    /// <summary>Handlers whose results still use the resource while they are being written.</summary>
    private static void MapStreams(IEndpointRouteBuilder app)
    {
        app.MapGet("/items", (Resource<Alpha> alpha) => ReadAsync(alpha.Value, item => (object)item));
        app.MapGet("/numbers", (Resource<Alpha> alpha) => ReadAsync(alpha.Value, item => item));
        app.MapGet("/wrapped", Results<Ok<IAsyncEnumerable<int>>, NotFound> (Resource<Alpha> alpha) =>
            TypedResults.Ok(ReadAsync(alpha.Value, item => item)));
        app.MapGet("/file", (Resource<Alpha> alpha) => TypedResults.File(new MemoryStream("12"u8.ToArray()), "text/plain"));
        app.MapGet("/push", (Resource<Alpha> alpha) => TypedResults.Stream(async body => await body.WriteAsync("12"u8.ToArray())));
        app.MapGet("/events", (Resource<Alpha> alpha) => TypedResults.ServerSentEvents(ReadAsync(alpha.Value, item => item)));
        app.MapGet("/written", async Task (Resource<Alpha> alpha, HttpContext context) =>
        {
            await context.Response.WriteAsync("1");
            await context.Response.WriteAsync("2");
        });
        app.MapGet("/delegate", async context =>
        {
            await context.RequestServices.GetRequiredService<IRequestResource<Alpha>>().GetAsync(context.RequestAborted);
            await context.Response.WriteAsync("12");
        });

        static async IAsyncEnumerable<T> ReadAsync<T>(Alpha alpha, Func<int, T> convert)
        {
            for (var i = 1; i <= 2; i++)
            {
                await Task.Yield();
                Assert.Equal(0, alpha.Teardowns);
                yield return convert(i);
            }
        }
    }
}
