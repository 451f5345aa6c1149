using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace ResilientHosting.Benchmarks.Features;

/// <summary>What of the library an application has.</summary>
[Flags]
internal enum Feature
{
    None = 0,
    Resources = 1,
    Tolerance = 2,
    Reloader = 4,
    All = Resources | Tolerance | Reloader,
}

/// <summary>Puts features into an application, as a user's <c>Program.cs</c> does.</summary>
internal static class FeatureExtensions
{
    public static void AddTo(this Feature features, IServiceCollection services)
    {
        if (features.HasFlag(Feature.Resources))
        {
            services.AddRequestScopedResource((_, _) => new ValueTask<Item>(new Item())).UsePool();
        }

        if (features.HasFlag(Feature.Reloader))
        {
            services.AddDevReloader();
        }
    }

    public static void Use(this Feature features, IApplicationBuilder app)
    {
        if (features.HasFlag(Feature.Tolerance))
        {
            app.UseClientAbortTolerance();
        }

        if (features.HasFlag(Feature.Reloader))
        {
            app.UseDevReloader();
        }
    }

    /// <summary>What the pages call it.</summary>
    public static string Describe(this Feature features) => features switch
    {
        Feature.None => "none",
        Feature.Resources => "a pooled resource registered",
        Feature.Tolerance => "client-abort tolerance",
        Feature.Reloader => "dev reloader (inert)",
        _ => "all three",
    };

    private sealed class Item;
}
