using System.Reflection;

namespace ResilientHosting.Resources;

/// <summary>
/// A minimal-API parameter that hands the handler the resource itself: it is created before the handler runs. Where the resource is not
/// always needed, take <see cref="IRequestResource{T}"/> instead.
/// </summary>
/// <typeparam name="T">The type of the resource, registered without a name.</typeparam>
public sealed class Resource<T> : IBindableFromHttpContext<Resource<T>>
    where T : class
{
    private Resource(T value) => Value = value;

    /// <summary>The resource. The request owns it: do not dispose of it.</summary>
    public T Value { get; }

    static async ValueTask<Resource<T>?> IBindableFromHttpContext<Resource<T>>.BindAsync(HttpContext context, ParameterInfo parameter)
    {
        var resource = ResourceResolution.Require<T>(context.RequestServices, name: null);
        return new Resource<T>(await resource.GetAsync(context.RequestAborted).ConfigureAwait(false));
    }
}
