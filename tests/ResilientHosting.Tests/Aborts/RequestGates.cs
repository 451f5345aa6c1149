using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace ResilientHosting.Tests.Aborts;

/// <summary>Tells a client how far its request is. Requests are known by their <c>?id=</c>.</summary>
public sealed class RequestGates
{
    private readonly ConcurrentDictionary<string, Barrier> _arrivals = new();
    private readonly ConcurrentDictionary<string, Barrier> _ends = new();

    /// <summary>Until the request has come to <see cref="UseArrivals"/>.</summary>
    public Task ArrivedAsync(string id) => BarrierOf(_arrivals, id).PassedAsync();

    /// <summary>Until the request has left everything inside <see cref="UseEnds"/>.</summary>
    public Task EndedAsync(string id) => BarrierOf(_ends, id).PassedAsync();

    public void UseArrivals(IApplicationBuilder app) => app.Use(next => context =>
    {
        BarrierOf(_arrivals, IdOf(context)).Open();
        return next(context);
    });

    public void UseEnds(IApplicationBuilder app) => app.Use(next => async context =>
    {
        // Touching the token makes the server lose the race that it loses in real applications.
        _ = context.RequestAborted;
        try
        {
            await next(context);
        }
        finally
        {
            BarrierOf(_ends, IdOf(context)).Open();
        }
    });

    /// <summary>Lets go of all requests so far.</summary>
    public void Forget()
    {
        _arrivals.Clear();
        _ends.Clear();
    }

    public static string IdOf(HttpContext context) => context.Request.Query["id"].ToString();

    private static Barrier BarrierOf(ConcurrentDictionary<string, Barrier> barriers, string id) =>
        barriers.GetOrAdd(id, _ => new Barrier());
}
