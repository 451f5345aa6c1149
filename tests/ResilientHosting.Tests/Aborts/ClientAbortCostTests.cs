using System.Diagnostics;
using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ResilientHosting.Aborts;

namespace ResilientHosting.Tests.Aborts;

public sealed class ClientAbortCostTests(ITestOutputHelper output)
{
    private const int Requests = 10_000;

    [Fact]
    public async Task UndisturbedRequest_WithoutBody_AllocatesOneSmallObject()
    {
        await using var app = WebApplication.CreateBuilder().Build();
        app.UseClientAbortTolerance();
        app.Run(_ => Task.CompletedTask);
        var pipeline = ((IApplicationBuilder)app).Build();
        using var connection = new CancellationTokenSource();
        var context = new DefaultHttpContext();
        context.Features.Set<IHttpRequestLifetimeFeature>(new HttpRequestLifetimeFeature { RequestAborted = connection.Token });
        context.Features.Set<IHttpRequestBodyDetectionFeature>(new NoBody());

        await MeasureAsync(pipeline, context);
        var (bytes, time) = await MeasureAsync(pipeline, context);

        output.WriteLine($"{bytes} bytes, {time.TotalNanoseconds / Requests:F0} ns a request");

        // A debug build adds an object for each async method.
        Assert.InRange(bytes, 1, IsOptimized ? 240 : 480);
    }

    [Fact]
    public async Task UndisturbedRequest_ToAnEndpoint_AllocatesNothingMore()
    {
        await using var app = WebApplication.CreateBuilder().Build();
        app.UseClientAbortTolerance();
        app.Run(context => context.GetEndpoint()?.RequestDelegate!(context) ?? Task.CompletedTask);
        var pipeline = ((IApplicationBuilder)app).Build();
        using var connection = new CancellationTokenSource();
        var context = new DefaultHttpContext();
        context.Features.Set<IHttpRequestLifetimeFeature>(new HttpRequestLifetimeFeature { RequestAborted = connection.Token });
        context.Features.Set<IHttpRequestBodyDetectionFeature>(new NoBody());
        context.Features.Set<IEndpointFeature>(new EndpointFeature());
        await MeasureAsync(pipeline, context);
        var (bytesWithout, timeWithout) = await MeasureAsync(pipeline, context);
        context.SetEndpoint(new Endpoint(static _ => Task.CompletedTask, metadata: null, displayName: null));
        await MeasureAsync(pipeline, context);

        var (bytes, time) = await MeasureAsync(pipeline, context);

        output.WriteLine($"{(time - timeWithout).TotalNanoseconds / Requests:F0} ns a request for an endpoint");
        Assert.Equal(bytesWithout, bytes);
    }

    private static bool IsOptimized =>
        typeof(ClientAbortOptions).Assembly.GetCustomAttribute<DebuggableAttribute>() is not { IsJITOptimizerDisabled: true };

    private static async Task<(long Bytes, TimeSpan Time)> MeasureAsync(RequestDelegate pipeline, HttpContext context)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var started = Stopwatch.GetTimestamp();
        for (var i = 0; i < Requests; i++)
        {
            var request = pipeline(context);
            Assert.True(request.IsCompletedSuccessfully);
            await request;
            context.Features.Set<IClientAbortFeature>(null);
        }

        return ((GC.GetAllocatedBytesForCurrentThread() - before) / Requests, Stopwatch.GetElapsedTime(started));
    }

    private sealed class EndpointFeature : IEndpointFeature
    {
        public Endpoint? Endpoint { get; set; }
    }

    private sealed class NoBody : IHttpRequestBodyDetectionFeature
    {
        public bool CanHaveBody => false;
    }
}
