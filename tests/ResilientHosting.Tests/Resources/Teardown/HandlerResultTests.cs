using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace ResilientHosting.Tests.Resources;

/// <summary>A release after the handler changes nothing that a client sees: every kind of result is written as without it.</summary>
public sealed class HandlerResultTests
{
    private static readonly Dictionary<string, Delegate> Handlers = new()
    {
        ["text"] = () => "text",
        ["object"] = () => new Circle(1),
        ["declared as object"] = object () => new Circle(1),
        ["declared as its polymorphic base"] = Shape () => new Circle(1),
        ["declared as its polymorphic base, later"] = async ValueTask<Shape> () => { await Task.Yield(); return new Circle(1); },
        ["polymorphic items"] = () => new List<Shape> { new Circle(1) },
        ["polymorphic sequence"] = IEnumerable<Shape> () => new List<Shape> { new Circle(1) },
        ["declared as its plain base"] = Plain () => new Derived(1, 2),
        ["nothing"] = () => (Circle?)null,
        ["nothing, later"] = Task<Circle?> () => Task.FromResult<Circle?>(null),
        ["number"] = () => 7,
        ["no number"] = int? () => null,
        ["result"] = () => TypedResults.Accepted("/there", new Circle(1)),
        ["void"] = (HttpContext context) => { context.Response.StatusCode = 202; },
        ["task"] = async Task () => await Task.Yield(),
        ["value task"] = async ValueTask () => await Task.Yield(),
        ["missing parameter"] = (int id) => id,
        ["sequence"] = () => Sequence(),
        ["many parameters"] = (HttpContext a, HttpRequest b, HttpResponse c, CancellationToken d, IServiceProvider e, HttpContext f,
            HttpContext g, HttpContext h, HttpContext i, HttpContext j, HttpContext k, string q = "fallback") => q,
    };

    public static TheoryData<string> Kinds => [.. Handlers.Keys];

    private static CancellationToken Test => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(Kinds))]
    public async Task Result_IsWrittenAsWithoutTheRelease(string kind)
    {
        Assert.Equal(await AskAsync(Handlers[kind], releases: false), await AskAsync(Handlers[kind], releases: true));
    }

    private static async Task<string> AskAsync(Delegate handler, bool releases)
    {
        await using var host = await ResourceTestHost.StartAsync(
            Server.TestServer,
            services =>
            {
                var beta = services.AddRequestScopedResource<Beta>((_, _) => new(new Beta()));
                if (releases)
                {
                    beta.ReleaseAfterHandler();
                }
            },
            app => app.MapGet("/", handler));
        using var response = await host.Client.GetAsync("/", Test);
        return $"{(int)response.StatusCode} {response.Content.Headers} {await response.Content.ReadAsStringAsync(Test)}";
    }

    private static async IAsyncEnumerable<int> Sequence()
    {
        await Task.Yield();
        yield return 1;
    }

    [JsonDerivedType(typeof(Circle), "circle")]
    public abstract record Shape;

    public sealed record Circle(int Radius) : Shape;

    public record Plain(int Id);

    public sealed record Derived(int Id, int More) : Plain(Id);
}
