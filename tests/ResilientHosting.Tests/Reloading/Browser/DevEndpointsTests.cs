using System.Net;
using System.Runtime.Loader;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ResilientHosting.Reloading;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

public sealed class DevEndpointsTests : IDisposable
{
    private readonly ManualTimeProvider _clock = new();
    private readonly CancellationTokenSource _end = new();
    private readonly FakeReloader _reloader = new();
    private readonly DevReloaderOptions _options = new();
    private readonly ReloadStatus _status;
    private readonly DevEndpoints _endpoints;
    private IPAddress? _stranger;

    public DevEndpointsTests()
    {
        _status = new ReloadStatus(_clock);
        _endpoints = new DevEndpoints(
            _status, _reloader, () => new LiveData("shop", true, default, [], [], [], new AbortCounts(new Dictionary<string, long>(), [])), () => _options, _clock, _end.Token);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _end.Dispose();

    [Theory]
    [InlineData("/_dev", true)]
    [InlineData("/_dev/", true)]
    [InlineData("/_dev/status", true)]
    [InlineData("/_device", false)]
    [InlineData("/_DEV/status", false)]
    [InlineData("/", false)]
    [InlineData("", false)]
    public void Owns_Path_IsTheReloadersOwnOnly(string path, bool isOwn)
    {
        var features = new DefaultHttpContext().Features;
        features.GetRequiredFeature<IHttpRequestFeature>().Path = path;

        Assert.Equal(isOwn, _endpoints.Owns(features));
    }

    [Fact]
    public async Task Owns_PathBelowAPathBase_OnceTheApplicationHasAnsweredThere()
    {
        var below = Request("/shop/_dev/status");
        Assert.False(_endpoints.Owns(below.Features));

        // What the application does at the start of its pipeline, and at the start of its answer.
        var page = Request("/shop/orders");
        var starting = new StartingResponse();
        page.Features.Set<IHttpResponseFeature>(starting);
        _endpoints.PathBases.LearnFrom(page.Features);
        (page.Request.PathBase, page.Request.Path) = ("/shop", "/orders");
        await starting.StartAsync();

        Assert.True(_endpoints.Owns(below.Features));
        Assert.False(_endpoints.Owns(Request("/other/_dev/status").Features));
        Assert.False(_endpoints.Owns(Request("/shop/x/_dev/status").Features));
        await _endpoints.HandleAsync(below, new Generation(0, AssemblyLoadContext.Default));
        Assert.Equal(StatusCodes.Status200OK, below.Response.StatusCode);
        Assert.Equal("/shop", below.Request.PathBase);
    }

    [Fact]
    public async Task Owns_PathBaseOfAHeader_IsNotLearned()
    {
        var page = Request("/orders");
        var starting = new StartingResponse();
        page.Features.Set<IHttpResponseFeature>(starting);
        _endpoints.PathBases.LearnFrom(page.Features);
        page.Request.PathBase = "/shop";
        await starting.StartAsync();

        Assert.False(_endpoints.Owns(Request("/shop/_dev/status").Features));
    }

    [Fact]
    public async Task Events_TellOfStaticFiles_WhatThePageDoesNotKnow()
    {
        _status.ReportFiles(["old.css"]);
        var (context, answer) = Begin("GET", "/_dev/events?files=");
        var (script, scriptAnswer) = Begin("GET", "/_dev/events");
        _status.ReportFiles(["css/site.css", "img/a b.png"]);
        var (late, lateAnswer) = Begin("GET", "/_dev/events?files=2");
        Assert.Equal(2, _status.Pages.Count);

        Serve(1);
        await Task.WhenAll(answer, scriptAnswer, lateAnswer).WaitAsync(KestrelTestHost.Timeout, Token);

        Assert.Equal(
            ["{\"latest\":1,\"paths\":[]}", "{\"latest\":3,\"paths\":[\"css/site.css\",\"img/a b.png\"]}"], Files(context));
        Assert.Equal(["{\"latest\":3,\"paths\":[\"img/a b.png\"]}"], Files(late));
        Assert.Empty(Files(script));
        Assert.Equal(0, _status.Pages.Count);

        static IEnumerable<string> Files(HttpContext context) => ReadText(context).Split("\n\n")
            .Where(message => message.StartsWith("event: files", StringComparison.Ordinal))
            .Select(message => message["event: files\ndata: ".Length..]);
    }

    [Fact]
    public async Task Events_WithNonsense_SayWhatTheyTake()
    {
        var (context, answer) = Begin("GET", "/_dev/events?files=-1");
        await answer;

        Assert.Equal(StatusCodes.Status400BadRequest, context.Response.StatusCode);
        Assert.Contains("files=<the", ReadText(context), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Status_OfAFailedEdit_HasWhatAnEditorNeeds()
    {
        Serve(3, SomeFailure.Of("The latest edit has 1 error.", new BuildDiagnostic("CS1002", true, "/shop/Program.cs", 3, 5, "; <expected>")));

        var (code, json) = await GetJsonAsync("/_dev/status");

        Assert.Equal(StatusCodes.Status200OK, code);
        Assert.Equal((3, "watching"), (json.GetProperty("generation").GetInt32(), json.GetProperty("phase").GetString()));
        var diagnostic = json.GetProperty("failure").GetProperty("diagnostics")[0];
        Assert.Equal(("/shop/Program.cs", 3, 5, "CS1002", "; <expected>"), (
            diagnostic.GetProperty("file").GetString(), diagnostic.GetProperty("line").GetInt32(), diagnostic.GetProperty("column").GetInt32(),
            diagnostic.GetProperty("id").GetString(), diagnostic.GetProperty("message").GetString()));
    }

    [Fact]
    public async Task Wait_ForAGeneration_AnswersOnceItServes()
    {
        Serve(1);
        var (context, answer) = Begin("GET", "/_dev/wait?after=1");
        _status.Change(now => now with { Phase = ReloadPhase.Building });
        Assert.False(answer.IsCompleted);

        Serve(2);
        await answer.WaitAsync(KestrelTestHost.Timeout, Token);

        Assert.Equal(StatusCodes.Status200OK, context.Response.StatusCode);
        Assert.Equal(2, Read(context).GetProperty("generation").GetInt32());
    }

    [Fact]
    public async Task Wait_ForAGenerationThatServesAlready_AnswersAtOnce()
    {
        Serve(5);

        Assert.Equal(StatusCodes.Status200OK, (await GetJsonAsync("/_dev/wait?after=4")).Code);
    }

    [Fact]
    public async Task Wait_WhenTheEditFails_IsAConflict_AndAnEarlierFailureIsNot()
    {
        var failure = SomeFailure.Of("The latest edit has 1 error.");
        Serve(1, failure);
        var (context, answer) = Begin("GET", "/_dev/wait?after=1");
        Assert.False(answer.IsCompleted);

        Serve(1, failure);
        await answer.WaitAsync(KestrelTestHost.Timeout, Token);

        Assert.Equal(StatusCodes.Status409Conflict, context.Response.StatusCode);
        Assert.Equal(StatusCodes.Status409Conflict, (await GetJsonAsync("/_dev/wait?after=1&attempt=0")).Code);
    }

    [Fact]
    public async Task Wait_TooLong_IsATimeoutWithTheStatus()
    {
        Serve(1);
        var (context, answer) = Begin("GET", "/_dev/wait?after=1&timeout=5");

        _clock.Advance(TimeSpan.FromSeconds(5));
        await answer.WaitAsync(KestrelTestHost.Timeout, Token);

        Assert.Equal(StatusCodes.Status408RequestTimeout, context.Response.StatusCode);
        Assert.Equal(1, Read(context).GetProperty("generation").GetInt32());
        Assert.Equal(0, _clock.PendingTimers);
    }

    [Theory]
    [InlineData("?after=x")]
    [InlineData("?after=-1")]
    [InlineData("?after=99999999999")]
    [InlineData("?timeout=0")]
    [InlineData("?timeout=601")]
    [InlineData("?attempt=1.5")]
    public async Task Wait_WithNonsense_SaysWhatItTakes(string query)
    {
        var (context, answer) = Begin("GET", "/_dev/wait" + query);
        await answer;

        Assert.Equal(StatusCodes.Status400BadRequest, context.Response.StatusCode);
        Assert.Contains("after=<generation>", ReadText(context), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Events_TellEveryChange_AndEndOnceAnotherGenerationServes()
    {
        Serve(0);
        var (context, answer) = Begin("GET", "/_dev/events");
        _status.Change(now => now with { Phase = ReloadPhase.Building });
        _status.Change(now => now with { Phase = ReloadPhase.Swapping, Generation = 1 });
        Assert.False(answer.IsCompleted);
        _clock.Advance(TimeSpan.FromSeconds(15));

        Serve(1);
        await answer.WaitAsync(KestrelTestHost.Timeout, Token);

        Assert.Equal("text/event-stream", context.Response.ContentType);
        var text = ReadText(context);
        Assert.StartsWith("retry: ", text, StringComparison.Ordinal);
        var last = text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries)[^1];
        Assert.Contains("event: status\ndata: {\"generation\":1,\"phase\":\"watching\"", last, StringComparison.Ordinal);
        await AssertNoTimersAsync();
    }

    [Fact]
    public async Task Steering_WithTheTokenOfTheStatus_IsDone()
    {
        var token = (await GetJsonAsync("/_dev/status")).Json.GetProperty("token").GetString();
        foreach (var path in (string[])["/_dev/reload", "/_dev/pause", "/_dev/resume"])
        {
            var (context, answer) = Begin("POST", path, (DevReloaderHeaders.Token, token));
            await answer;
            Assert.Equal(StatusCodes.Status202Accepted, context.Response.StatusCode);
        }

        Assert.Equal(["reload", "pause", "resume"], _reloader.Calls);
    }

    [Theory]
    [InlineData("POST", "/_dev/reload", StatusCodes.Status403Forbidden)]
    [InlineData("GET", "/_dev/reload", StatusCodes.Status405MethodNotAllowed)]
    [InlineData("POST", "/_dev/status", StatusCodes.Status405MethodNotAllowed)]
    [InlineData("DELETE", "/_dev/wait", StatusCodes.Status405MethodNotAllowed)]
    [InlineData("POST", "/_dev", StatusCodes.Status405MethodNotAllowed)]
    [InlineData("HEAD", "/_dev/", StatusCodes.Status405MethodNotAllowed)]
    [InlineData("GET", "/_dev/unknown", StatusCodes.Status404NotFound)]
    public async Task Request_ThatIsNotTaken_SaysWhy(string method, string path, int code)
    {
        var (context, answer) = Begin(method, path);
        await answer;

        Assert.Equal(code, context.Response.StatusCode);
        Assert.NotEqual("", ReadText(context));
        Assert.Empty(_reloader.Calls);
    }

    [Fact]
    public async Task RandomRequests_OfStrangers_LearnNothing()
    {
        const int Seed = 20_261_122;
        var random = new Random(Seed);
        _stranger = IPAddress.Parse("192.0.2.7");
        Serve(1, SomeFailure.Of("secret", new BuildDiagnostic("CS1", true, "/secret/Program.cs", 1, 1, "secret")));
        string[] methods = ["GET", "POST", "HEAD", "PUT", "", "G\0T"];
        string[] paths = ["/_dev", "/_dev/", "/_dev/page.html", "/_dev/client.js", "/_dev/overlay.js", "/_dev/status", "/_dev/wait", "/_dev/events", "/_dev/reload", "/_dev/../status", "/_dev/%2e", "/_dev//", "/_dev/\n"];
        for (var i = 0; i < 500; i++)
        {
            var (context, answer) = Begin(Pick(methods), Pick(paths) + (random.Next(2) == 0 ? "?after=0" : ""), ("Origin", Junk()), (DevReloaderHeaders.Token, Junk()));
            await answer.WaitAsync(KestrelTestHost.Timeout, Token);

            Assert.True(context.Response.StatusCode == StatusCodes.Status403Forbidden, $"Seed {Seed}, request {i}: {context.Request.Method} {context.Request.Path} was answered with {context.Response.StatusCode}.");
            Assert.DoesNotContain("secret", ReadText(context), StringComparison.Ordinal);
        }

        Assert.Empty(_reloader.Calls);
        Assert.Equal("no-store", Begin("GET", "/_dev/status").Context.Response.Headers.CacheControl);

        string Pick(string[] from) => from[random.Next(from.Length)];

        string Junk() => new([.. Enumerable.Range(0, random.Next(40)).Select(_ => (char)random.Next(32, 300))]);
    }

    /// <summary>What a timer was for goes on before the timer is given back.</summary>
    private async Task AssertNoTimersAsync()
    {
        using var limit = new CancellationTokenSource(KestrelTestHost.Timeout);
        while (_clock.PendingTimers > 0)
        {
            limit.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private void Serve(int generation, ReloadFailure? failure = null) => _status.Change(now => now with
    {
        Generation = generation,
        Phase = ReloadPhase.Watching,
        Failure = failure,
        Attempt = now.Attempt + 1,
    });

    private async Task<(int Code, JsonElement Json)> GetJsonAsync(string path)
    {
        var (context, answer) = Begin("GET", path);
        await answer.WaitAsync(KestrelTestHost.Timeout, Token);
        return (context.Response.StatusCode, Read(context));
    }

    private (HttpContext Context, Task Answer) Begin(string method, string path, params ReadOnlySpan<(string Name, string? Value)> headers)
    {
        var context = Request(path);
        var query = path.IndexOf('?', StringComparison.Ordinal);
        context.Request.Method = method;
        context.Request.Path = query < 0 ? path : path[..query];
        context.Request.QueryString = new QueryString(query < 0 ? "" : path[query..]);
        foreach (var (name, value) in headers)
        {
            context.Request.Headers[name] = value;
        }

        return (context, _endpoints.HandleAsync(context, new Generation(0, AssemblyLoadContext.Default)));
    }

    private DefaultHttpContext Request(string path)
    {
        var context = new DefaultHttpContext();
        context.Request.Method = "GET";
        context.Request.Scheme = "http";
        context.Request.Host = new HostString("localhost");
        context.Request.Path = path;
        context.Connection.RemoteIpAddress = _stranger ?? IPAddress.Loopback;
        context.Response.Body = new MemoryStream();
        return context;
    }

    private static JsonElement Read(HttpContext context) => JsonDocument.Parse(ReadText(context)).RootElement;

    private static string ReadText(HttpContext context) => Encoding.UTF8.GetString(((MemoryStream)context.Response.Body).ToArray());

    private sealed class StartingResponse : HttpResponseFeature
    {
        private readonly List<(Func<object, Task> Callback, object State)> _callbacks = [];

        public override void OnStarting(Func<object, Task> callback, object state) => _callbacks.Add((callback, state));

        public async Task StartAsync()
        {
            foreach (var (callback, state) in _callbacks)
            {
                await callback(state);
            }
        }
    }
}
